/** Random boxes, and box arithmetic in double precision as the textbooks write it. */
import type { Random } from "../network/random-model.ts";

export type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** `count` boxes with whole corners in [0, limit]: areas and overlaps are exact. */
export function wholeBoxes(next: Random, count: number, limit: number): Box[] {
  const whole = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return Array.from({ length: count }, () => {
    const x1 = whole(0, limit - 1);
    const y1 = whole(0, limit - 1);
    return [x1, y1, whole(x1 + 1, limit), whole(y1 + 1, limit)];
  });
}

/** `count` boxes with sides from 1 that reach out of [0, width] x [0, height] by up to 20. */
export function realBoxes(next: Random, count: number, width: number, height: number): Box[] {
  return Array.from({ length: count }, () => {
    const x1 = next() * width - 20;
    const y1 = next() * height - 20;
    return [x1, y1, x1 + 1 + next() * width, y1 + 1 + next() * height].map(Math.fround) as unknown as Box;
  });
}

export const pack = (boxes: readonly Box[]): Float32Array => Float32Array.from(boxes.flat());

export const unpack = (boxes: Float32Array): Box[] =>
  Array.from({ length: boxes.length / 4 }, (_, i) => [...boxes.subarray(4 * i, 4 * i + 4)] as unknown as Box);

const areaOf = ([x1, y1, x2, y2]: Box): number => (x2 - x1) * (y2 - y1);

export function overlap(a: Box, b: Box): number {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  return (width * height) / (areaOf(a) + areaOf(b) - width * height);
}

/** What a network would have to predict, weights 1, so that `reference` becomes `box`. */
export function encode(reference: Box, box: Box): Box {
  const [w, h] = [reference[2] - reference[0], reference[3] - reference[1]];
  const [width, height] = [box[2] - box[0], box[3] - box[1]];
  const centre = (low: number, high: number) => (low + high) / 2;
  return [
    (centre(box[0], box[2]) - centre(reference[0], reference[2])) / w,
    (centre(box[1], box[3]) - centre(reference[1], reference[3])) / h,
    Math.log(width / w),
    Math.log(height / h),
  ];
}

export function decode(reference: Box, [dx, dy, dw, dh]: Box): Box {
  const [w, h] = [reference[2] - reference[0], reference[3] - reference[1]];
  const [x, y] = [(reference[0] + reference[2]) / 2 + dx * w, (reference[1] + reference[3]) / 2 + dy * h];
  const limit = Math.log(1000 / 16);
  const [width, height] = [w * Math.exp(Math.min(dw, limit)), h * Math.exp(Math.min(dh, limit))];
  return [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
}

export function clip([x1, y1, x2, y2]: Box, width: number, height: number): Box {
  const into = (value: number, most: number) => Math.min(most, Math.max(0, value));
  return [into(x1, width), into(y1, height), into(x2, width), into(y2, height)];
}

/** Greedy suppression over explicit lists: indices that stay, by falling score, the lower index first. */
export function naiveNms(
  boxes: readonly Box[],
  scores: readonly number[],
  groups: readonly number[],
  t: number,
): number[] {
  let waiting = [...boxes.keys()];
  const kept: number[] = [];
  while (waiting.length > 0) {
    const best = waiting.reduce((a, b) => (scores[b]! > scores[a]! ? b : a));
    kept.push(best);
    waiting = waiting.filter(
      (i) => i !== best && (groups[i] !== groups[best] || Math.fround(overlap(boxes[i]!, boxes[best]!)) <= t),
    );
  }
  return kept;
}

/** Largest difference of two equally long lists of boxes; Infinity where the lengths differ. */
export function distance(a: readonly Box[], b: readonly Box[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return Math.max(0, ...a.flatMap((box, i) => box.map((value, k) => Math.abs(value - b[i]![k]!))));
}
