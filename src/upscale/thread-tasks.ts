/** What upscaling threads are told and what they send back. */
import type { Region } from "../image/types.ts";
import type { WasmOptions } from "../kernels/wasm-options.ts";
import type { NetworkOptions } from "./create-network.ts";
import type { PictureForm } from "./pixel-port.ts";
import type { Tile } from "./tiles.ts";

export interface ThreadSetup {
  /** Compiled once and shared. */
  readonly module: WebAssembly.Module;
  readonly options: Omit<NetworkOptions, keyof WasmOptions>;
}

export interface ThreadTask {
  /** Of the whole picture. */
  readonly form: PictureForm;
  readonly tile: Tile;
  /** The pixels of the tile's source, margin included, without gaps. */
  readonly pixels: ArrayBuffer;
}

export interface ThreadPart {
  /** Of the result. */
  readonly region: Region;
  readonly pixels: ArrayBuffer;
}
