import type { Operation, Schedule } from "../../src/winograd/schedule.ts";
import type { Lanes } from "./lanes.ts";

export interface StraightLineOptions {
  readonly lanes: Lanes;
  /** Begins the names of this schedule's values. */
  readonly prefix: string;
  /** Expression of each input, in the schedule's order. */
  readonly inputs: readonly string[];
  /**
   * Repeat the expression at every use instead of naming it: for loads, where two schedules together would hold more vectors than there
   * are registers.
   */
  readonly reload?: boolean;
}

/**
 * A schedule as AssemblyScript, each value computed right before its first use, so that asking for the outputs one by one, with a store
 * in between, keeps few vectors alive.
 */
export class StraightLine {
  readonly #lines: string[];
  readonly #schedule: Schedule;
  readonly #options: StraightLineOptions;
  readonly #operations: ReadonlyMap<string, Operation>;
  readonly #named = new Map<string, string>();

  /** @param lines where the statements go */
  constructor(lines: string[], schedule: Schedule, options: StraightLineOptions) {
    this.#lines = lines;
    this.#schedule = schedule;
    this.#options = options;
    this.#operations = new Map(schedule.operations.map((operation) => [operation.to, operation]));
  }

  /** The name or expression of one output. */
  output(index: number): string {
    return this.#value(this.#schedule.outputs[index]!);
  }

  #value(name: string): string {
    const known = this.#named.get(name);
    if (known !== undefined) return known;
    const { inputs, lanes, prefix, reload } = this.#options;
    const input = this.#schedule.inputs.indexOf(name);
    if (input >= 0 && (reload || /^\w+$/.test(inputs[input]!))) return inputs[input]!;
    const expression = input >= 0 ? inputs[input]! : this.#expression(this.#operations.get(name)!, lanes);
    const own = `${prefix}${this.#named.size}`;
    this.#lines.push(`const ${own} = ${expression};`);
    this.#named.set(name, own);
    return own;
  }

  #expression(operation: Operation, lanes: Lanes): string {
    if (operation.op === "zero") return `${lanes.name}.splat(0)`;
    const a = this.#value(operation.a);
    switch (operation.op) {
      case "add":
        return lanes.add(a, this.#value(operation.b));
      case "sub":
        return lanes.sub(a, this.#value(operation.b));
      case "shl":
        return lanes.shl(a, operation.by);
      case "mulc":
        return lanes.mulc(a, operation.by);
      case "neg":
        return lanes.neg(a);
    }
  }
}
