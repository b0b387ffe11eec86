/**
 * The method: all forms of one case in rounds. In a round each is asked for one batch of runs while the others wait; who begins moves on
 * from round to round. What is compared was therefore timed within a second or so.
 *
 * @typedef {object} Contestant a process or page of one peer
 * @property {(method: string, argument?: object) => Promise<object>} call
 * @property {() => Promise<void>} close
 * @typedef {object} Place
 * @property {(peer: import("./peers.mjs").Peer) => boolean} canRun
 * @property {(peerName: string) => Promise<Contestant>} start
 * @property {() => { name: string, version: string, v8: string | null, file: string }} runtime once something has started
 * @property {() => Promise<void>} close
 * @typedef {object} Entry one form of one peer in one case
 * @property {import("./peers.mjs").Peer} peer
 * @property {import("./peers.mjs").Variant} variant
 * @property {Contestant} [contestant]
 * @property {string} [skipped] why it is not timed
 * @property {object} [ready] what `prepare` answered
 * @property {{ ms: number, runs: number, cpuShare: number | null }[]} samples one a round
 */

/**
 * Prepares and times one case.
 * @param {import("./cases.mjs").Case} c
 * @param {readonly { peer: import("./peers.mjs").Peer, contestant?: Contestant, skipped?: string }[]} contestants
 * @param {{ rounds: number, warmMs: number, leastMs: number, leastRuns: number, failures: Record<string, string> }} settings
 *   with the reasons, by data type, why there is nothing to compare with
 * @returns {Promise<Entry[]>}
 */
export async function measureCase(c, contestants, settings) {
  /** @type {Entry[]} */
  const entries = contestants.flatMap(({ peer, contestant, skipped }) =>
    peer.variants.flatMap((variant) => {
      const { ofCase = () => true } = variant;
      return ofCase(c)
        ? [{ peer, variant, contestant, skipped: skipped ?? settings.failures[variant.dtype], samples: [] }]
        : [];
    }),
  );
  for (const [id, entry] of entries.entries()) {
    if (entry.skipped === undefined) await attempt(entry, () => makeReady(c, id, entry, settings));
  }
  const timed = () => entries.filter(({ skipped }) => skipped === undefined);
  for (let round = 0; round < settings.rounds; round++) {
    const turn = timed();
    for (let i = 0; i < turn.length; i++) {
      const entry = turn[(i + round) % turn.length];
      await attempt(entry, () => sample(entries.indexOf(entry), entry, settings));
    }
  }
  for (const [id, entry] of entries.entries()) {
    if (entry.ready) await attempt(entry, () => entry.contestant.call("release", { id }));
  }
  return entries;
}

/** A form that fails is left out from then on, with its reason. */
async function attempt(entry, step) {
  try {
    await step();
  } catch (error) {
    entry.skipped = error.message;
  }
}

async function makeReady(c, id, entry, { warmMs }) {
  const { contestant, variant } = entry;
  const task = { id, caseName: c.name, dtype: variant.dtype, variantName: variant.name };
  entry.ready = await contestant.call("prepare", task);
  await contestant.call("warm", { id, leastMs: warmMs });
}

async function sample(id, entry, { leastMs, leastRuns }) {
  entry.samples.push(await entry.contestant.call("batch", { id, leastMs, leastRuns }));
}
