import { render } from "preact";
import { App } from "./app";
import "./look.css";
import "./frame.css";
import "./proof.css";
import "./people.css";
import "./tree.css";

const place = document.getElementById("viewer");
if (place) render(<App />, place);
