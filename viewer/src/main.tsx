import { render } from "preact";
import { App } from "./app";
import "./look.css";
import "./proof.css";

const place = document.getElementById("viewer");
if (place) render(<App />, place);
