/** The plotting library, which the page carries as a script of its own. */
declare const Plot: typeof import("@observablehq/plot");
