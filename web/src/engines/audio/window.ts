/** Closest: seconds on the screen at least. */
const SHORTEST = 0.1;
/** Recordings up to this length are shown whole at first, of longer ones so much. */
const FIRST = 60;

/** Which seconds of a recording are on the screen. */
export class TimeWindow {
  from = 0;
  to: number;
  width = 1;

  constructor(readonly duration: number) {
    this.to = Math.max(Math.min(duration, FIRST), SHORTEST);
  }

  get seconds(): number {
    return this.to - this.from;
  }

  get pixelsPerSecond(): number {
    return this.width / this.seconds;
  }

  timeAt(x: number): number {
    return this.from + (x / this.width) * this.seconds;
  }

  xAt(time: number): number {
    return (time - this.from) * this.pixelsPerSecond;
  }

  /** Closer by `factor`, with the second at `time` staying where it is. */
  zoomAt(time: number, factor: number): void {
    const seconds = Math.min(Math.max(this.seconds / factor, SHORTEST), Math.max(this.duration, SHORTEST));
    const share = (time - this.from) / this.seconds;
    this.moveTo(time - share * seconds, seconds);
  }

  panBy(seconds: number): void {
    this.moveTo(this.from + seconds, this.seconds);
  }

  whole(): void {
    this.moveTo(0, Math.max(this.duration, SHORTEST));
  }

  /** Moves as little as needed for the stretch, or its start, to be seen with some room around. */
  reveal(start: number, end = start): void {
    const room = this.seconds * 0.08;
    if (start >= this.from && end <= this.to) return;
    if (end - start + 2 * room > this.seconds || start < this.from) this.moveTo(start - room, this.seconds);
    else this.moveTo(end + room - this.seconds, this.seconds);
  }

  private moveTo(from: number, seconds: number): void {
    this.from = Math.min(Math.max(from, 0), Math.max(this.duration - seconds, 0));
    this.to = this.from + seconds;
  }
}

/** Round steps of a time axis: at least `least` pixels apart. */
export function ticksOf(window: TimeWindow, least = 80): number[] {
  const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
  const step = steps.find((one) => one * window.pixelsPerSecond >= least) ?? 3600;
  const ticks: number[] = [];
  for (let k = Math.ceil(window.from / step); k * step <= window.to; k++) ticks.push(Math.round(k * step * 1000) / 1000);
  return ticks;
}

/** `1:02:03`, `2:03`, `2:03.25`; seconds with so many digits as wanted. */
export function clockOf(time: number, digits = 0): string {
  const whole = Math.max(time, 0);
  const rounded = Number(whole.toFixed(digits));
  const [hours, minutes] = [Math.floor(rounded / 3600), Math.floor((rounded % 3600) / 60)];
  const seconds = (rounded % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}
