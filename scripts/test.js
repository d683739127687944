/** Starts the runner of the compiled tests, tools/test-runner/main.ts. Usage: node scripts/test.js --help */
import { existsSync } from 'node:fs';

const runner = new URL('../build/js/tools/test-runner/main.js', import.meta.url);
if (existsSync(runner)) await import(runner.href);
else {
  process.stderr.write('the tests are not compiled\nfix: npm run build\n');
  process.exitCode = 2;
}
