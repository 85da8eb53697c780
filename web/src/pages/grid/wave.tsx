import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { extremes, fetchManifest, fetchPeaks, levelFor } from "web/engines/audio/media";
import { t } from "web/language/language";

/** Bars of the picture of a whole recording. */
const BARS = 90;

/** Recordings do not sound over each other: whichever is played stops the one before. */
let playing: HTMLAudioElement | null = null;

/** A recording on a card: its waveform, fetched when it comes into sight, and a button that plays it. */
export function WaveCard({ item, audio, peaks }: { item: string; audio: string; peaks: string | null }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const sound = useRef<HTMLAudioElement | null>(null);
  const isPlaying = useSignal(false);
  useEffect(() => (canvas.current && peaks ? whenInSight(canvas.current, (element) => void paint(element, peaks).catch(() => undefined)) : undefined), [peaks]);
  useEffect(() => () => sound.current?.pause(), []);
  const toggle = () => {
    const element = (sound.current ??= soundOf(audio, isPlaying));
    if (!element.paused) return element.pause();
    playing?.pause();
    playing = element;
    void element.play().catch(() => undefined);
  };
  return (
    <div class="card-wave">
      <button type="button" class="card-play" tabIndex={-1} aria-label={`${t(isPlaying.value ? "audio.pause" : "grid.play")}: ${item}`} onClick={toggle}>
        <span aria-hidden="true">{isPlaying.value ? "❚❚" : "▶"}</span>
      </button>
      <canvas ref={canvas} class="card-canvas" aria-hidden="true" width={BARS * 2} height={40} />
    </div>
  );
}

function soundOf(address: string, isPlaying: { value: boolean }): HTMLAudioElement {
  const element = new Audio(address);
  element.addEventListener("play", () => (isPlaying.value = true));
  for (const end of ["pause", "ended", "error"]) element.addEventListener(end, () => (isPlaying.value = false));
  return element;
}

function whenInSight<E extends Element>(element: E, act: (element: E) => void): () => void {
  const watcher = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watcher.disconnect();
    act(element);
  });
  watcher.observe(element);
  return () => watcher.disconnect();
}

/** Bars from one tile: of the coarsest level with a step for each, if its first tile holds the whole recording. */
async function paint(canvas: HTMLCanvasElement, address: string): Promise<void> {
  const { levels, duration } = await fetchManifest(address);
  const fine = levelFor(levels, BARS / duration);
  const level = fine && fine.tile_seconds >= duration ? fine : levelFor(levels, 0);
  if (!level) return;
  const tile = await fetchPeaks(level.tiles.replace("{tile}", "0"));
  const steps = Math.max(Math.min(tile.length / 2, Math.ceil(duration * level.per_second)), 1);
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.fillStyle = getComputedStyle(canvas).color;
  for (let bar = 0; bar < BARS; bar++) {
    const from = Math.floor((bar * steps) / BARS);
    const [low, high] = extremes(tile, from, Math.max(Math.floor(((bar + 1) * steps) / BARS), from + 1));
    const reach = Math.max((high - low) * (canvas.height / 2), 1);
    context.fillRect(bar * 2, (canvas.height - reach) / 2, 1, reach);
  }
}
