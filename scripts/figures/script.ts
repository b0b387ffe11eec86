/** What the pictures of this folder say that they were written by. */
export const SCRIPT = "scripts/winograd-figures.ts";
