/** The steps of a test: each has one row, and steps that depend on a failed one are skipped. */
import type { ErrorCode } from '../../protocol/error-codes.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { withElapsedTime } from '../terminal/elapsed-time.ts';

/** The result of one step, in the form that `ccwb test --json` prints. */
export type StepReport = {
  readonly step: string;
  readonly result: 'ok' | 'failed' | 'skipped';
  readonly seconds: number;
  /** The finding, the error, or the reason for skipping. */
  readonly detail: string;
  /** The next action; null unless the step failed. */
  readonly fix: string | null;
  /** Null unless it failed. */
  readonly code: ErrorCode | null;
};

/** The value of a step for later steps, or the reason why it has none. */
export type TrialStep<T> = { readonly value: T } | { readonly missing: string };

export type StepResult<T> = { readonly detail: string; readonly value: T } | { readonly skipped: string };

export type StepOptions = {
  /** True for a step that must run in any case, even after Ctrl-C. */
  readonly always?: boolean;
  /** True for a step that writes to the person itself. */
  readonly speaks?: boolean;
};

type StepValues<S extends readonly TrialStep<unknown>[]> = {
  [K in keyof S]: S[K] extends TrialStep<infer Value> ? Value : never;
};

export type TrialRun = {
  readonly rows: readonly StepReport[];
  /**
   * Runs one step. An error becomes its row; the other steps still run.
   *
   * @param after steps whose values this step needs.
   */
  step<S extends readonly TrialStep<unknown>[], T>(
    name: string,
    after: readonly [...S],
    work: (...values: StepValues<S>) => Promise<StepResult<T>>,
    options?: StepOptions,
  ): Promise<TrialStep<T>>;
};

export function createTrialRun(edges: AdminEdges): TrialRun {
  const rows: StepReport[] = [];
  const note = (step: string, startMs: number, rest: Omit<StepReport, 'step' | 'seconds'>): void => {
    const seconds = Math.round((edges.now() - startMs) / 100) / 10;
    rows.push({ step, seconds, ...rest });
  };
  return {
    rows,
    async step<S extends readonly TrialStep<unknown>[], T>(
      name: string,
      after: readonly [...S],
      work: (...values: StepValues<S>) => Promise<StepResult<T>>,
      { always = false, speaks = false }: StepOptions = {},
    ) {
      const startMs = edges.now();
      const skip = (missing: string): { missing: string } => {
        note(name, startMs, { result: 'skipped', detail: missing, fix: null, code: null });
        return { missing };
      };
      const values: unknown[] = [];
      for (const step of after) {
        if ('missing' in step) return skip(step.missing);
        values.push(step.value);
      }
      if (edges.interrupted.aborted && !always) return skip('interrupted');
      try {
        const working = work(...(values as unknown as StepValues<S>));
        const passed = speaks ? await working : await withElapsedTime(name, working, edges);
        if ('skipped' in passed) return skip(passed.skipped);
        note(name, startMs, { result: 'ok', detail: passed.detail, fix: null, code: null });
        return { value: passed.value };
      } catch (thrown) {
        const { message, fix, code } = asTestFailure(thrown, edges.interrupted.aborted && !always);
        note(name, startMs, { result: 'failed', detail: message, fix, code });
        return { missing: `${name} failed` };
      }
    },
  };
}

/** Creates the error of a step whose finding is wrong. */
export function testFailure(message: string, fix: string): CcwbError {
  return new CcwbError('ERR_TEST_FAILED', message, fix);
}

/** Returns the result of a step whose value no other step uses. */
export function done(detail: string): StepResult<true> {
  return { detail, value: true };
}

function asTestFailure(thrown: unknown, interrupted: boolean): CcwbError {
  if (interrupted) return new CcwbError('ERR_INTERRUPTED', 'interrupted', 'run ccwb test again');
  if (thrown instanceof CcwbError) return thrown;
  const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown));
  return new CcwbError('ERR_INTERNAL', `unexpected ${name}: ${message}`, 'report it', { cause: thrown });
}
