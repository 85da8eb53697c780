import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { AudioTrack } from "web/engines/audio/track";
import { clockOf } from "web/engines/audio/window";
import { ActButton } from "web/parts/act_button";
import type { AudioState, Segment } from "web/regions/audio/state";
import type { WidgetProps } from "web/widget";

type Props = WidgetProps<readonly Segment[], AudioState>;

/** Waveform and spectrogram with the regions, and what plays them. */
export function AudioStage({ context, state }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const track = useRef<AudioTrack | null>(null);
  useLayoutEffect(() => {
    track.current ??= new AudioTrack(host.current as HTMLDivElement);
    state.track = track.current;
    track.current.show(state.board, state.recording, () => context.say(context.t("audio.broken")));
    return () => {
      state.track = null;
    };
  }, [state]);
  useEffect(() => () => track.current?.dispose(), []);
  return (
    <div class="audio-stage">
      <AudioTools context={context} state={state} />
      <div ref={host} class="audio-track" role="img" aria-label={context.t("audio.track", { n: state.regions.entries.value.length })} />
    </div>
  );
}

function AudioTools({ context, state }: Props) {
  const { t, keyOf } = context;
  const button = (act: string, words: string) => (
    <ActButton class="is-tool" chord={keyOf(act)} onAct={() => state.act(act)}>
      {words}
    </ActButton>
  );
  return (
    <div class="shape-tools" role="toolbar" aria-label={t("audio.tools")}>
      {button("play", t(state.isPlaying.value ? "audio.pause" : state.regions.selected.value ? "audio.play_region" : "audio.play"))}
      {!context.isReadOnly && button("region_start", t("audio.start_here"))}
      {!context.isReadOnly && button("region_end", t("audio.end_here"))}
      <output class="audio-clock">
        {clockOf(state.playhead.value, 2)} / {clockOf(state.board.duration, 2)}
      </output>
      <span class="shape-tools-gap" />
      {(["audio_wider", "audio_whole", "audio_closer"] as const).map((act, i) => (
        <button key={act} type="button" class="button is-tool" aria-label={t(`keys.${act}`)} title={t(`keys.${act}`)} onMouseDown={(event) => event.preventDefault()} onClick={() => state.act(act)}>
          {["−", "⤢", "+"][i]}
        </button>
      ))}
    </div>
  );
}
