/**
 * Numbers that look random and are the same for the same seed, target and iteration: any one iteration
 * can be run again alone. Our own dozen lines, because a million iterations need a generator that costs
 * nanoseconds and a place in the sequence that is a plain number; shrinking is not worth a library here,
 * as an input is one short request.
 */
export type Random = {
  /** Uniform whole number from 0 to `limit - 1`. */
  below(limit: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
};

export function randomAt(seed: number, target: string, iteration: number): Random {
  // sfc32, by Chris Doty-Humphrey: passes PractRand, four words of state.
  let [a, b, c, counter] = [seed | 0, hash(target), iteration | 0, (iteration / 2 ** 32) | 1];
  const next = (): number => {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return t >>> 0;
  };
  // Neighbouring iterations start from neighbouring states; twelve rounds leave nothing of that.
  for (let round = 0; round < 12; round += 1) next();
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit);
  return {
    below,
    chance: (probability) => next() < probability * 2 ** 32,
    pick: <T>(items: readonly T[]) => {
      if (items.length === 0) throw new RangeError('nothing to pick from');
      return items[below(items.length)] as T;
    },
  };
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return value;
}
