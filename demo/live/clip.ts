/** A small film for those without a camera: an orrery with fine lines and small type, the things that enlarging blurs. */

const TURN = 2 * Math.PI;
/** Distance from the sun, size and years of a round, in units of the picture's height and seconds. */
const PLANETS = [
  [0.1, 0.008, 2.4, "#d9c6a5"],
  [0.16, 0.014, 4.1, "#e8b878"],
  [0.23, 0.016, 6, "#7fb7d9"],
  [0.3, 0.012, 9.5, "#d98a6a"],
  [0.41, 0.03, 17, "#d9b48f"],
] as const;
const LINES = ["Mercury", "Venus", "Earth", "Mars", "Jupiter"] as const;

/** @param time in seconds */
export function drawClip(context: CanvasRenderingContext2D, time: number): void {
  const { width, height } = context.canvas;
  const unit = height;
  context.setTransform(1, 0, 0, 1, 0, 0);
  const sky = context.createLinearGradient(0, 0, width, height);
  sky.addColorStop(0, "#10202f");
  sky.addColorStop(1, "#2b3a45");
  context.fillStyle = sky;
  context.fillRect(0, 0, width, height);

  context.translate(width * 0.38, height * 0.5);
  context.lineWidth = Math.max(0.75, unit / 400);
  context.strokeStyle = "rgb(220 226 230 / 55%)";
  context.save();
  context.rotate(time * 0.05);
  for (let i = 0; i < 180; i++) {
    const [from, to] = i % 15 === 0 ? [0.455, 0.49] : [0.475, 0.49];
    const angle = (i / 180) * TURN;
    context.beginPath();
    context.moveTo(Math.cos(angle) * from * unit, Math.sin(angle) * from * unit);
    context.lineTo(Math.cos(angle) * to * unit, Math.sin(angle) * to * unit);
    context.stroke();
  }
  context.restore();

  const sun = context.createRadialGradient(0, 0, 0, 0, 0, 0.06 * unit);
  sun.addColorStop(0, "#fff3c9");
  sun.addColorStop(0.6, "#f6c453");
  sun.addColorStop(1, "rgb(246 196 83 / 0%)");
  context.fillStyle = sun;
  context.beginPath();
  context.arc(0, 0, 0.06 * unit, 0, TURN);
  context.fill();

  context.textBaseline = "middle";
  context.font = `${Math.round(unit / 26)}px Georgia, "Times New Roman", serif`;
  for (const [i, [distance, size, period, tint]] of PLANETS.entries()) {
    context.strokeStyle = "rgb(220 226 230 / 35%)";
    context.beginPath();
    context.ellipse(0, 0, distance * unit, distance * unit * 0.94, 0.3, 0, TURN);
    context.stroke();
    const angle = (time / period) * TURN + i;
    const x = distance * unit * Math.cos(angle);
    const y = distance * unit * 0.94 * Math.sin(angle);
    const at = { x: x * Math.cos(0.3) - y * Math.sin(0.3), y: x * Math.sin(0.3) + y * Math.cos(0.3) };
    context.fillStyle = tint;
    context.beginPath();
    context.arc(at.x, at.y, size * unit, 0, TURN);
    context.fill();
    context.fillStyle = "#eef0ee";
    context.fillText(LINES[i]!, at.x + size * unit + unit / 60, at.y);
  }

  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = "#eef0ee";
  context.font = `${Math.round(unit / 16)}px Georgia, "Times New Roman", serif`;
  context.fillText("An orrery", width * 0.7, height * 0.12);
  context.font = `${Math.round(unit / 28)}px Georgia, "Times New Roman", serif`;
  for (const [i, text] of ["Not to scale, in haste:", "years of six seconds"].entries()) {
    context.fillText(text, width * 0.7, height * (0.2 + 0.05 * i));
  }
  context.fillText(`Year ${(time / 6).toFixed(2)}`, width * 0.7, height * 0.9);
}
