/** What the operations of a schedule are in AssemblyScript, for one type of lane. */
export interface Lanes {
  readonly name: "i16x8" | "i32x4" | "f32x4";
  readonly add: (a: string, b: string) => string;
  readonly sub: (a: string, b: string) => string;
  /** a * 2^by */
  readonly shl: (a: string, by: number) => string;
  /** a * factor */
  readonly mulc: (a: string, factor: number) => string;
  readonly neg: (a: string) => string;
}

/** Doubling a value that has a name is one addition. */
const isName = (a: string): boolean => /^\w+$/.test(a);

function integer(name: "i16x8" | "i32x4"): Lanes {
  return {
    name,
    add: (a, b) => `${name}.add(${a}, ${b})`,
    sub: (a, b) => `${name}.sub(${a}, ${b})`,
    shl: (a, by) => (by === 1 && isName(a) ? `${name}.add(${a}, ${a})` : `${name}.shl(${a}, ${by})`),
    mulc: (a, factor) => `${name}.mul(${a}, ${name}.splat(${factor}))`,
    neg: (a) => `${name}.neg(${a})`,
  };
}

export const I16: Lanes = integer("i16x8");
export const I32: Lanes = integer("i32x4");

export const F32: Lanes = {
  name: "f32x4",
  add: (a, b) => `f32x4.add(${a}, ${b})`,
  sub: (a, b) => `f32x4.sub(${a}, ${b})`,
  shl: (a, by) => (by === 1 && isName(a) ? `f32x4.add(${a}, ${a})` : `f32x4.mul(${a}, f32x4.splat(${2 ** by}))`),
  mulc: (a, factor) => `f32x4.mul(${a}, f32x4.splat(${factor}))`,
  neg: (a) => `f32x4.neg(${a})`,
};
