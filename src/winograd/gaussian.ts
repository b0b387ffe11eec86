/**
 * Gaussian rationals: numbers (re + im i) / den of arbitrary size, exact and immutable. Winograd's points and matrices are these; nothing
 * in this folder is derived in floating point.
 */
import { check } from "../errors.ts";

const abs = (x: bigint): bigint => (x < 0n ? -x : x);

export function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [abs(a), abs(b)];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

export const lcm = (a: bigint, b: bigint): bigint => (a === 0n || b === 0n ? 0n : abs(a * b) / gcd(a, b));

/** The integer nearest to a / b for b > 0, halves upwards. */
function nearest(a: bigint, b: bigint): bigint {
  const doubled = 2n * a + b;
  const quotient = doubled / (2n * b);
  return doubled % (2n * b) < 0n ? quotient - 1n : quotient;
}

/** A number (re + im i) / den, exact and immutable: what points and matrices are made of. */
export class Gaussian {
  /** 0 */
  static readonly ZERO = Gaussian.of(0);
  /** 1 */
  static readonly ONE = Gaussian.of(1);
  /** i */
  static readonly I = Gaussian.of(0, 1);

  /** Numerator of the real part. */
  readonly re: bigint;
  /** Numerator of the imaginary part. */
  readonly im: bigint;
  /** Positive, without a factor common to re and im. */
  readonly den: bigint;

  private constructor(re: bigint, im: bigint, den: bigint) {
    this.re = re;
    this.im = im;
    this.den = den;
  }

  /** (re + im i) / den in lowest terms; integers only, den not 0. */
  static of(re: bigint | number, im: bigint | number = 0n, den: bigint | number = 1n): Gaussian {
    const [a, b, d] = [BigInt(re), BigInt(im), BigInt(den)];
    check(d !== 0n, "ERR_ARGUMENT", () => "Gaussian: expected a denominator other than 0");
    // Most values are integers; the greatest common divisor is what costs.
    if (d === 1n) return new Gaussian(a, b, d);
    const common = gcd(gcd(a, b), d) * (d < 0n ? -1n : 1n);
    return new Gaussian(a / common, b / common, d / common);
  }

  /** Reads 0, -1, 1/2, i, -i, 1+i, -3/2i (three halves of -i), 1/2-1/2i. @throws WasmogradError ERR_ARGUMENT */
  static parse(text: string): Gaussian {
    const part = String.raw`\d+(?:/0*[1-9]\d*)?`;
    const pattern = new RegExp(`^(?:([+-]?${part})(?![\\d/i]))?(?:([+-]?)(${part})?(i))?$`);
    const match = pattern.exec(text.trim());
    const [, real, sign, imaginary, i] = match ?? [];
    const separated = real === undefined || i === undefined || sign !== "";
    check(
      match !== null && (real !== undefined || i !== undefined) && separated,
      "ERR_ARGUMENT",
      () => `point: expected a number such as 0, -1, 1/2, i, 1+i or inf, got "${text}"`,
    );
    const fraction = (part: string): Gaussian => {
      const [over, under = "1"] = part.replace("+", "").split("/") as [string, string?];
      return Gaussian.of(BigInt(over), 0n, BigInt(under));
    };
    const re = real === undefined ? Gaussian.ZERO : fraction(real);
    if (i === undefined) return re;
    return re.add(fraction(`${sign}${imaginary ?? "1"}`).mul(Gaussian.I));
  }

  /** this + other */
  add(other: Gaussian): Gaussian {
    const { re, im, den } = other;
    return Gaussian.of(this.re * den + re * this.den, this.im * den + im * this.den, this.den * den);
  }

  /** this - other */
  sub(other: Gaussian): Gaussian {
    return this.add(other.neg());
  }

  /** -this */
  neg(): Gaussian {
    return new Gaussian(-this.re, -this.im, this.den);
  }

  /** this * other */
  mul(other: Gaussian): Gaussian {
    const { re, im, den } = other;
    return Gaussian.of(this.re * re - this.im * im, this.re * im + this.im * re, this.den * den);
  }

  /** @throws WasmogradError ERR_ARGUMENT when other is 0 */
  div(other: Gaussian): Gaussian {
    const { re, im, den } = other;
    if (im === 0n && re === den) return this;
    return this.mul(Gaussian.of(re * den, -im * den, re * re + im * im));
  }

  /** The complex conjugate. */
  conj(): Gaussian {
    return new Gaussian(this.re, -this.im, this.den);
  }

  /** this^exponent, for an integer of at least 0. */
  pow(exponent: number): Gaussian {
    let result = Gaussian.ONE;
    for (let k = 0; k < exponent; k++) result = result.mul(this);
    return result;
  }

  /** Whether both are the same number. */
  equals(other: Gaussian): boolean {
    return this.re === other.re && this.im === other.im && this.den === other.den;
  }

  /** Whether it is 0. */
  isZero(): boolean {
    return this.re === 0n && this.im === 0n;
  }

  /** Whether its imaginary part is 0. */
  isReal(): boolean {
    return this.im === 0n;
  }

  /** Whether both parts are integers. */
  isInteger(): boolean {
    return this.den === 1n;
  }

  /** 1, -1, i or -i. */
  isUnit(): boolean {
    return this.isInteger() && abs(this.re) + abs(this.im) === 1n;
  }

  /** Its real part. */
  realPart(): Gaussian {
    return Gaussian.of(this.re, 0n, this.den);
  }

  /** Its imaginary part, without the i. */
  imaginaryPart(): Gaussian {
    return Gaussian.of(this.im, 0n, this.den);
  }

  /** The unit u for which this / u has a positive real and no negative imaginary part; 1 for 0. */
  unit(): Gaussian {
    let z: Gaussian = this;
    let unit = Gaussian.ONE;
    while (!z.isZero() && !(z.re > 0n && z.im >= 0n)) {
      z = z.mul(Gaussian.I);
      unit = unit.mul(Gaussian.I.conj());
    }
    return unit;
  }

  /** The value as a number, for a real integer below 2^53. @throws WasmogradError ERR_UNSUPPORTED for others */
  toNumber(): number {
    const value = Number(this.re);
    check(
      this.isReal() && this.isInteger() && Number.isSafeInteger(value),
      "ERR_UNSUPPORTED",
      () => `coefficient: expected a real integer below 2^53, got ${this}`,
    );
    return value;
  }

  /** As points are written: 1/2, -i, 1+i. */
  toString(): string {
    const print = (over: bigint): string => {
      const common = gcd(over, this.den);
      return this.den === common ? `${over / common}` : `${over / common}/${this.den / common}`;
    };
    if (this.im === 0n) return print(this.re);
    const imaginary = `${print(this.im).replace(/^(-?)1$/, "$1")}i`;
    if (this.re === 0n) return imaginary;
    return `${print(this.re)}${this.im > 0n ? "+" : ""}${imaginary}`;
  }
}

/** Greatest common divisor of two Gaussian integers, in the first quadrant (re > 0, im >= 0); 0 for two zeros. Euclid's algorithm. */
export function gaussianGcd(a: Gaussian, b: Gaussian): Gaussian {
  let [x, y] = [a, b];
  while (!y.isZero()) {
    const { re, im, den } = x.div(y);
    const rest = x.sub(y.mul(Gaussian.of(nearest(re, den), nearest(im, den))));
    [x, y] = [y, rest];
  }
  return x.div(x.unit());
}
