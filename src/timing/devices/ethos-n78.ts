/** Ethos-N78: variants and metrics as the vendor's open support library knows them (25.03, 22.02); read from its source, not measured. */
import type { EthosN, EthosNCore, EthosNMetric, HostCpu } from "./description.ts";

const KIB = 1024;

type Sizes = readonly [
  engines: number,
  inputsPerEngine: number,
  outputsPerEngine: number,
  lanesPerEngine: number,
  kib: number,
];

const CORES: Readonly<Record<string, Sizes>> = {
  "ethos-n78-1tops-2ple": [2, 4, 4, 1, 448],
  "ethos-n78-1tops-4ple": [2, 4, 4, 2, 448],
  "ethos-n78-2tops-2ple": [4, 2, 4, 1, 768],
  "ethos-n78-2tops-4ple": [4, 2, 4, 2, 768],
  "ethos-n78-4tops-2ple": [4, 4, 4, 2, 1024],
  "ethos-n78-4tops-4ple": [8, 2, 2, 2, 1024],
  "ethos-n78-8tops-2ple": [8, 2, 4, 2, 2048],
};

function core([engines, inputsPerEngine, outputsPerEngine, lanesPerEngine, kib]: Sizes): EthosNCore {
  return { engines, inputsPerEngine, outputsPerEngine, lanesPerEngine, sramBytes: kib * KIB };
}

/** The first is the default: the one of the time of the published figures. */
export const ETHOS_N_METRICS: readonly EthosNMetric[] = [
  { id: "22.02", clockHz: 1.25e9, bytesPerSecond: 12e9 },
  { id: "25.03", clockHz: 1e9, bytesPerSecond: 16e9 },
];

/** A little core of a phone: half of the peak of its dot products, half of a load and a store of 16 bytes a cycle. */
const CORTEX_A55: HostCpu = {
  name: "Cortex-A55",
  clockHz: 1.8e9,
  int8MacsPerCycle: 8,
  bytesPerCycle: 8,
  callCycles: 5000,
};

/** A function, as bundlers cannot leave out what is computed when a module is loaded. */
export const ethosNIds = (): readonly string[] => Object.keys(CORES);

/** Activations are taken to compress to half, as the vendor's compiler takes them; weights not at all. */
export function ethosN(id: string, metric: EthosNMetric): EthosN {
  return {
    kind: "ethos-n",
    id,
    core: core(CORES[id]!),
    metric,
    activationSaving: 0.5,
    weightSaving: 0,
    winograd: true,
    host: CORTEX_A55,
  };
}
