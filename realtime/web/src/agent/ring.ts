/**
 * A soft sound while a call is held out, for who looks elsewhere. It is off until somebody turns it on, because a
 * page may only sound after a click, and because most phones ring by themselves. The choice is remembered; after
 * a reload the first click or key lets it sound again.
 */

import { remember, remembered } from "../shared/i18n";
import { Store } from "../shared/store";

const KEY = "pasokh.ring";
const AGAIN_MS = 2_000;
const LOUDNESS = 0.08;
const TONES = [587.3, 784];
const TONE_S = 0.16;

export const ringing = new Store<boolean>(remembered(KEY) === "on");
let audio: AudioContext | undefined;

/** Makes the browser's permission to sound ours; only has an effect within a click or key. */
function wake(): void {
  audio ??= new AudioContext();
  if (audio.state === "suspended") void audio.resume();
}

export function setRinging(on: boolean): void {
  remember(KEY, on ? "on" : "off");
  ringing.set(on);
  if (!on) return;
  wake();
  beep();
}

function beep(): void {
  if (!audio || audio.state === "closed") return;
  const begin = audio.currentTime + 0.02;
  TONES.forEach((tone, at) => {
    if (!audio) return;
    const from = begin + at * TONE_S;
    const source = new OscillatorNode(audio, { frequency: tone });
    const volume = new GainNode(audio, { gain: 0 });
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(LOUDNESS, from + 0.02);
    volume.gain.linearRampToValueAtTime(0, from + TONE_S);
    source.connect(volume).connect(audio.destination);
    source.start(from);
    source.stop(from + TONE_S);
  });
}

/** Sounds until the returned function is called, if and as long as it is turned on. */
export function ring(): () => void {
  const sound = () => {
    if (ringing.value) beep();
  };
  sound();
  const timer = setInterval(sound, AGAIN_MS);
  return () => clearInterval(timer);
}

if (ringing.value) {
  const first = () => {
    removeEventListener("pointerdown", first);
    removeEventListener("keydown", first);
    wake();
  };
  addEventListener("pointerdown", first);
  addEventListener("keydown", first);
}
