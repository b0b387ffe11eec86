// Squares of pictures side by side, as the documents' pictures show them.
const GAP = 8;

/** The square of `size` pixels at (left, top), each pixel repeated `factor` times; RGB, row by row. */
export function square({ width, data, channels }, left, top, size, factor) {
  const out = size * factor;
  const pixels = new Uint8Array(out * out * 3);
  for (let y = 0; y < out; y++) {
    for (let x = 0; x < out; x++) {
      const from = ((top + Math.floor(y / factor)) * width + left + Math.floor(x / factor)) * channels;
      pixels.set(data.subarray(from, from + 3), (y * out + x) * 3);
    }
  }
  return pixels;
}

/** Squares of one edge in a row, white between them. */
export function row(squares, edge) {
  const width = squares.length * edge + (squares.length - 1) * GAP;
  const data = new Uint8Array(width * edge * 3).fill(255);
  for (const [i, pixels] of squares.entries()) {
    for (let y = 0; y < edge; y++) {
      data.set(pixels.subarray(y * edge * 3, (y + 1) * edge * 3), (y * width + i * (edge + GAP)) * 3);
    }
  }
  return { width, height: edge, channels: 3, depth: 8, data };
}
