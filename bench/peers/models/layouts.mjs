/** Our order of values (maps NHWC, filters OHWI) into those of the peers. */

/** [rows][columns] -> [columns][rows], of whatever type the array is. */
export function transposed(values, rows, columns) {
  const result = new values.constructor(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c];
  return result;
}

export function nhwcToNchw(values, [height, width, channels]) {
  return transposed(values, height * width, channels);
}

/** Each filter HWI -> IHW. */
export function ohwiToOihw(weights, outputs, kernel, inputs) {
  const size = kernel ** 2 * inputs;
  const result = new weights.constructor(weights.length);
  for (let o = 0; o < outputs; o++) {
    result.set(transposed(weights.subarray(o * size, (o + 1) * size), kernel ** 2, inputs), o * size);
  }
  return result;
}

/** O(HWI) -> (HWI)O; a depthwise filter O(HW) becomes (HW)O. */
export function ohwiToHwio(weights, outputs) {
  return transposed(weights, outputs, weights.length / outputs);
}
