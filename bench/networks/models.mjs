/**
 * Networks by their ids with random weights: none has trained weights here, and times do not depend on the values, as long as these are
 * neither subnormal nor infinite. The same weights and the same picture for everybody.
 */
import { detectorNetworks } from "../../dist/detector/networks.js";
import { detectorWeightShapes } from "../../dist/detector/weights.js";
import { buildModel, calibrate, quantise, runReference, serialiseSafetensors, weightShapes } from "../../dist/index.js";
import { integers, reals } from "../peers/values.mjs";

const SIDE = 224;
const SEEDS = { picture: 1, weights: 100 };

/** He's deviation keeps the features' size from layer to layer; the last part of a name says what it is. */
function values(name, shape, seed) {
  const length = shape.reduce((a, b) => a * b, 1);
  const leaf = name.slice(name.lastIndexOf(".") + 1);
  if (shape.length > 1) {
    const reach = Math.sqrt((6 * shape[0]) / length);
    return reals(length, seed, -reach, reach);
  }
  if (leaf === "gamma") return reals(length, seed, 0.05, 0.15);
  if (leaf === "weight" || leaf === "running_var") return reals(length, seed, 0.8, 1.2);
  return reals(length, seed, -0.1, 0.1);
}

/** @param {Iterable<[name: string, shape: readonly number[]]>} shapes */
function randomTensors(shapes) {
  return new Map(
    [...shapes].map(([name, shape], i) => [name, { shape, data: values(name, shape, SEEDS.weights + i) }]),
  );
}

/** @returns {import("../../dist/index.js").Weights} */
export const randomWeights = (network) => randomTensors(weightShapes(network));

/** A file of detector weights, in our order of filters. */
export function randomDetectorFile(backbone) {
  const tensors = randomTensors(detectorWeightShapes(detectorNetworks(backbone)));
  return serialiseSafetensors(tensors, new Map([["layout", "OHWI"]]));
}

/** @returns {import("../../dist/index.js").Model} */
export function randomModel(id, attention) {
  const network = buildModel(id, attention === undefined ? {} : { attention });
  return { network, weights: randomWeights(network) };
}

/** Normalised colours. */
export function randomPicture(height = SIDE, width = SIDE) {
  return { shape: [height, width, 3], data: reals(height * width * 3, SEEDS.picture, -2, 2) };
}

/** 8 bits, RGB. */
export function randomImage(width, height) {
  const data = Uint8Array.from(integers(width * height * 3, SEEDS.picture, 0, 255));
  return { width, height, channels: 3, depth: 8, data };
}

/** Quantised by the ranges that the picture gives; batch normalisations are folded before. */
export function randomInt8(id) {
  const model = randomModel(id);
  return quantise(model, calibrate(model, [randomPicture()], runReference));
}

/** @param {Pick<import("./cases.mjs").Entry, "id" | "dtype" | "attention">} entry */
export const modelOf = ({ id, dtype, attention }) => (dtype === "int8" ? randomInt8(id) : randomModel(id, attention));
