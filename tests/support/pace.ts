/** How often an attempt is made at most. */
const ATTEMPTS = 5;

/**
 * Repeats an attempt that fails because this machine kept the test from going on for too long, as a
 * virtual one may do at any time.
 *
 * @param limit How long the test may take between two steps, in milliseconds
 * @param attempt Is given a function to call after each step
 */
export async function keepingPace(
  limit: number,
  attempt: (step: () => void) => Promise<void>,
): Promise<void> {
  for (let count = 1;; count++) {
    let [last, longest] = [performance.now(), 0];
    const step = () => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    };
    try {
      return await attempt(step);
    } catch (error) {
      step();
      if (longest < limit || count === ATTEMPTS) throw error;
    }
  }
}
