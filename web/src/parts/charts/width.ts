import { type Signal, useSignal } from "@preact/signals";
import { type RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** The width of an element in pixels, as it is and as it changes; letters of a drawing keep their size so. */
export function useWidth<E extends HTMLElement>(): readonly [RefObject<E | null>, Signal<number>] {
  const element = useRef<E>(null);
  const width = useSignal(0);
  useLayoutEffect(() => {
    const target = element.current;
    if (!target) return undefined;
    const measure = () => {
      width.value = Math.round(target.getBoundingClientRect().width);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(target);
    return () => observer.disconnect();
  }, []);
  return [element, width] as const;
}
