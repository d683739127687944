/** A test file that ended. */
export type FinishedFile = { file: string; ok: boolean; ms: number };

type ProgressOutput = { isTTY?: boolean; columns?: number; write(text: string): unknown };

export type TestProgress = {
  finished(file: FinishedFile): void;
  /** Prints text of the tests themselves, which must not be mixed with the progress. */
  print(text: string): void;
  end(): void;
};

/**
 * Shows how many files are done. A terminal has one line that is rewritten; anything else gets a line for
 * each tenth of the files. A file that failed is named at once.
 */
export function createProgress(output: ProgressOutput, total: number): TestProgress {
  const terminal = output.isTTY === true;
  const step = Math.max(1, Math.ceil(total / 10));
  let done = 0;
  let failed = 0;
  const summary = (): string => `${done} of ${total} files done${failed === 0 ? '' : `, ${failed} failed`}`;
  const erase = (): void => {
    if (terminal) output.write('\r\u001b[K');
  };
  const show = (last: string): void => {
    if (terminal) output.write(`${summary()}  ${last}`.slice(0, (output.columns ?? 80) - 1));
    else if (done % step === 0 || done === total) output.write(`${summary()}\n`);
  };
  return {
    finished({ file, ok, ms }) {
      done += 1;
      const name = file.replace(/^build\/js\//, '').replace(/\.js$/, '.ts');
      erase();
      if (!ok) {
        failed += 1;
        output.write(`failed: ${name} (${(ms / 1000).toFixed(1)} s)\n`);
      }
      show(name);
    },
    print(text) {
      erase();
      output.write(text);
    },
    end: erase,
  };
}
