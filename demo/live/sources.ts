/** Where frames come from: a clip that is drawn here, a camera, a file. */
import { drawClip } from "./clip.ts";

/** Frames a second of the clip. */
const CLIP_RATE = 30;

export interface FrameSource {
  /** What is on the screen before it is enlarged. */
  readonly element: HTMLCanvasElement | HTMLVideoElement;
  /** What it is, for people. */
  readonly name: string;
  /** Width over height. */
  readonly aspect: number;
  /** Calls `frame` for every frame from now on. */
  start(frame: () => void): void;
  stop(): void;
  /** Gives the camera or the file back. */
  close(): void;
}

/** A clip drawn at the size that the network takes. */
export function clipSource(width: number, height: number): FrameSource {
  const element = document.createElement("canvas");
  element.width = width;
  element.height = height;
  const context = element.getContext("2d")!;
  drawClip(context, 0);
  let timer = 0;
  let frames = 0;
  return {
    element,
    name: "Clip, drawn here",
    aspect: width / height,
    start(frame) {
      clearInterval(timer);
      timer = window.setInterval(() => {
        drawClip(context, ++frames / CLIP_RATE);
        frame();
      }, 1000 / CLIP_RATE);
    },
    stop: () => clearInterval(timer),
    close: () => clearInterval(timer),
  };
}

async function videoSource(video: HTMLVideoElement, name: string, close: () => void): Promise<FrameSource> {
  video.muted = true;
  video.playsInline = true;
  await new Promise<void>((resolve, reject) => {
    video.onloadeddata = () => resolve();
    video.onerror = () => reject(new Error("this browser cannot play that file"));
  });
  let running = false;
  return {
    element: video,
    name,
    aspect: video.videoWidth / video.videoHeight,
    start(frame) {
      if (running) return;
      running = true;
      const next = (): void => {
        if (!running) return;
        frame();
        video.requestVideoFrameCallback(next);
      };
      video.requestVideoFrameCallback(next);
      void video.play();
    },
    stop() {
      running = false;
      video.pause();
    },
    close() {
      running = false;
      video.pause();
      close();
    },
  };
}

/** @throws Error when the file cannot be played */
export function fileSource(file: File): Promise<FrameSource> {
  const video = document.createElement("video");
  const url = URL.createObjectURL(file);
  video.loop = true;
  video.src = url;
  return videoSource(video, file.name, () => URL.revokeObjectURL(url));
}

/** @throws Error when there is none or it may not be used */
export async function cameraSource(): Promise<FrameSource> {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices) throw new Error("pages without TLS may not use the camera");
  const stream = await devices
    .getUserMedia({ video: { width: { ideal: 1280 } }, audio: false })
    .catch((cause: Error) => {
      throw new Error(cause.name === "NotFoundError" ? "no camera was found" : "the camera may not be used");
    });
  const video = document.createElement("video");
  video.srcObject = stream;
  return videoSource(video, "Camera", () => {
    for (const track of stream.getTracks()) track.stop();
  });
}
