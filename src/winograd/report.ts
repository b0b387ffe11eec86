/**
 * The paper's claims (arXiv 1901.01965), each recomputed under a definition that is written down. Nothing here is measured: what was
 * measured comes in as evidence. The body of the paper was not available, so where its definition is a reconstruction the status says so.
 */
import { nestedOf } from "./catalogue.ts";
import { growth } from "./growth.ts";
import { countProducts } from "./structure.ts";

export type ClaimStatus =
  | "reproduced"
  | "reproduced under a stated reading"
  | "not reproduced under a stated reading"
  | "not determinable";

export interface Claim {
  readonly id: "reduction" | "efficiency" | "filter-width" | "accuracy";
  /** The claim in the paper's words, and its number. */
  readonly claim: string;
  readonly paper: string;
  /** The number recomputed, in the unit of `unit`; null when it cannot be. */
  readonly computed: number | null;
  readonly unit: "x" | "%" | "dB";
  readonly definition: string;
  readonly status: ClaimStatus;
}

/** Measured quality of scaled filters against exact ones, for the claim on accuracy. */
export interface AccuracyEvidence {
  /** How filters were stored, and on what network it was measured. */
  readonly scheme: string;
  /** PSNR lost by each picture set, dB. */
  readonly losses: Readonly<Record<string, number>>;
  /** Below this a loss is called insignificant. */
  readonly tolerance: number;
}

const round = (x: number, places: number): number => Number(x.toFixed(places));

function accuracy(evidence: AccuracyEvidence | undefined): Claim {
  const base = {
    id: "accuracy",
    claim: "without any significant accuracy loss",
    paper: "none stated",
    unit: "dB",
  } as const;
  if (evidence === undefined) {
    const definition = "PSNR lost by filters of 9 bits, scaled by powers of two; no measurement was given";
    return { ...base, computed: null, definition, status: "not determinable" };
  }
  const computed = Math.max(...Object.values(evidence.losses));
  return {
    ...base,
    computed,
    definition: `largest PSNR loss over ${Object.keys(evidence.losses).join(", ")} with ${evidence.scheme}; at most ${evidence.tolerance} dB counts as none`,
    status:
      computed <= evidence.tolerance ? "reproduced under a stated reading" : "not reproduced under a stated reading",
  };
}

export interface ClaimNumbers {
  /** 144 / 46 and 144 / 36. */
  readonly reduction: number;
  readonly rationalReduction: number;
  /** Bits of the transformed int8 filter in the scaled forms 4G and 24G. */
  readonly complexBits: number;
  readonly rationalBits: number;
  /** Bits with the doubling in the filter, and the four that the scale of the result stands for. */
  readonly doubledBits: number;
  readonly scaleBits: number;
}

export function claimNumbers(): ClaimNumbers {
  const complex = nestedOf("f4x4-3x3-complex", { form: "scaled" });
  const rational = nestedOf("f4x4-3x3-rational", { form: "scaled" });
  const doubled = nestedOf("f4x4-3x3-complex", { form: "scaled", doubling: "filter" });
  const { m, r } = complex.vertical.algorithm;
  const direct = (m * r) ** 2;
  return {
    reduction: direct / countProducts(complex.structure).products,
    rationalReduction: direct / countProducts(rational.structure).products,
    complexBits: growth(complex).filter.bits,
    rationalBits: growth(rational).filter.bits,
    doubledBits: growth(doubled).filter.bits,
    scaleBits: complex.result.shift,
  };
}

/** The four claims. */
export function claims(evidence?: AccuracyEvidence): Claim[] {
  const n = claimNumbers();
  const printed = round(n.reduction, 2);
  const efficiency = (printed * n.rationalBits) / (n.rationalReduction * n.complexBits) - 1;
  const exactly = (n.reduction * n.rationalBits) / (n.rationalReduction * n.complexBits) - 1;
  const narrowed = n.doubledBits - n.scaleBits;
  return [
    {
      id: "reduction",
      claim: "complexity reduction over direct convolution",
      paper: "3.13x",
      computed: round(n.reduction, 4),
      unit: "x",
      definition:
        "multiplications of direct convolution over real products of F(4x4,3x3) with points 0, 1, -1, i, -i, inf, both counted a tile and channel",
      status: printed === 3.13 ? "reproduced" : "not determinable",
    },
    {
      id: "efficiency",
      claim: "efficiency gain over rational Winograd, up to",
      paper: "17.37 %",
      computed: round(efficiency * 100, 6),
      unit: "%",
      definition:
        `reduction over width of the transformed int8 filter: ${printed} / ${n.complexBits} bits (4G) against ` +
        `${n.rationalReduction.toFixed(2)} / ${n.rationalBits} bits (24G) of rational F(4x4,3x3), with the reduction as printed; ` +
        `unrounded it is ${(exactly * 100).toFixed(2)} %`,
      status: Math.abs(efficiency * 100 - 17.37) < 0.01 ? "reproduced under a stated reading" : "not determinable",
    },
    {
      id: "filter-width",
      claim: "filter bit width cut by integer filter scaling",
      paper: "30.77 %",
      computed: round((n.scaleBits / n.doubledBits) * 100, 2),
      unit: "%",
      definition:
        `from ${n.doubledBits} bits (4G with conjugate pairs doubled, worst case 24 * 127) to ${narrowed}, ` +
        `by the ${n.scaleBits} bits of the result's scale 2^${n.scaleBits}`,
      status: "reproduced under a stated reading",
    },
    accuracy(evidence),
  ];
}
