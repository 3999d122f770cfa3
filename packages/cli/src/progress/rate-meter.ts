/** Bytes per second, over what came last. */
export interface RateMeter {
  /** So many bytes are there at this moment, in milliseconds. */
  add(bytes: number, now: number): void;
  /** Undefined until there is something to tell it from. */
  rate(now: number): number | undefined;
}

/** Long enough to be calm, short enough to notice that a line has become slow. */
const span = 4000;
/** A report comes with every chunk: so many a second are enough. */
const pause = 100;
/** Over less than this a rate says nothing but how the first chunks came. */
const least = 500;

export function rateMeter(): RateMeter {
  const samples: { readonly at: number; readonly bytes: number }[] = [];
  let latest = 0;
  const forget = (now: number) => {
    while (samples.length > 1 && (samples[1]?.at ?? now) <= now - span) samples.shift();
  };
  return {
    add(bytes, now) {
      // A beginning that was here already did not come just now; what begins anew has not come at all.
      if (bytes < latest) samples.length = 0;
      latest = bytes;
      const last = samples.at(-1);
      if (last && now - last.at < pause) return;
      samples.push({ at: now, bytes });
      forget(now);
    },
    rate(now) {
      forget(now);
      const [first] = samples;
      if (!first || now - first.at < least) return undefined;
      return ((latest - first.bytes) * 1000) / (now - first.at);
    },
  };
}
