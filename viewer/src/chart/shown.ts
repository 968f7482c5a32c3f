import type { Channel } from "../api/types";
import type { Series } from "./series";

/** A channel in the chart with what was loaded of it. */
export interface Shown {
  channel: Channel;
  series: Series;
  /** The number of its colour. */
  shade: number;
}
