/** Small drawings that say by shape what colour says too. Drawn here, so no picture is ever asked for. */

const paths = {
  waiting: "M7 3h10M7 21h10M8 3c0 5 8 6 8 9s-8 4-8 9M16 3c0 5-8 6-8 9s8 4 8 9",
  clock: "M12 3a9 9 0 1 0 .01 0M12 7v5l3.5 2",
  target: "M12 3a9 9 0 1 0 .01 0M12 8a4 4 0 1 0 .01 0",
  leave: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
  answer: "M5 4h4l2 5-2.5 1.5a11 11 0 0 0 5 5L15 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 6a2 2 0 0 1 2-2",
  people: "M9 11a3.5 3.5 0 1 0-.01 0M2.5 20c0-4 3-6 6.500-6s6.500 2 6.500 6M16 4.500a3.500 3.500 0 0 1 0 6.500M18 14.500c2.200.8 3.500 2.700 3.500 5.500",
  available: "M5 12.500l4.500 4.500L19 7.500",
  ringing: "M6 17V11a6 6 0 0 1 12 0v6M4 17h16M10 20.500h4",
  muted: "M6 17v-6c0-1.200.4-2.400 1-3.300M9.500 5.500A6 6 0 0 1 18 11v3M4 17h13M10 20.500h4M4 4l16 16",
  on_call: "M5 4h4l2 5-2.5 1.5a11 11 0 0 0 5 5L15 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 6a2 2 0 0 1 2-2",
  on_hold: "M9 5v14M15 5v14",
  on_task: "M9 3h6v4H9zM9 5H5v16h14V5h-4M9 12h6M9 16h4",
  wrap_up: "M4 20h4L19 9l-4-4L4 16zM13.500 6.500l4 4",
  not_ready: "M12 3a9 9 0 1 0 .01 0M7 12h10",
  trouble: "M12 4L2.500 20h19zM12 10v4M12 17v.5",
  offline: "M12 3v8M6.500 6.500a8 8 0 1 0 11 0",
  attention: "M12 4L2.500 20h19zM12 10v4M12 17v.5",
  action: "M8 3h8l5 5v8l-5 5H8l-5-5V8zM12 7v6M12 16.500v.5",
  phone: "M7 3h10v18H7zM11 18h2",
  person: "M12 11.500a4 4 0 1 0-.01 0M4.500 21c0-4.500 3.500-6.500 7.500-6.500s7.500 2 7.500 6.500",
  question: "M12 3a9 9 0 1 0 .01 0M9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.7.4-1 .9-1 1.700M12 16.500v.3",
  live: "M12 10a2 2 0 1 0 .01 0M7.500 7.500a6.400 6.400 0 0 0 0 9M16.500 7.500a6.400 6.400 0 0 1 0 9",
  cut: "M4 4l16 16M7.500 7.500a6.400 6.400 0 0 0 0 9M16.500 7.500a6.400 6.400 0 0 1 1 7",
  keyboard: "M3 6h18v12H3zM7 10h.01M12 10h.01M17 10h.01M8 14h8",
};

export type IconName = keyof typeof paths;

/** Decorative: the word beside it carries the meaning for those who do not see it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
