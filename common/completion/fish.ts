import { singleQuoteForFish } from '../shell-quote.ts';
import { type CompletedCommand, type CompletionValues, functionName } from './table.ts';

/** Returns the completion script for fish. */
export function fishCompletion(program: string, completed: readonly CompletedCommand[]): string {
  const steps = completed
    .filter(({ path }) => path.length > 0)
    .map(
      ({ path }) =>
        `            case ${singleQuoteForFish(` ${path.join(' ')}`)}\n                set path $path $word`,
    );
  return `# fish completion of ${program}, printed by: ${program} completion fish
function ${testOf(program)}
    set -l words (commandline -opc)
    set -l path
    for word in $words[2..]
        switch " "(string join ' ' -- $path $word)
${steps.join('\n')}
        end
    end
    test "$path" = "$argv"
end
complete -c ${program} -f
${completed.flatMap((command) => linesOf(program, command)).join('\n')}
`;
}

/** Returns the name of the shell function that tests for the words of a command. */
function testOf(program: string): string {
  return `_${functionName(program)}_at`;
}

function linesOf(program: string, { path, commands, flags, operand }: CompletedCommand): string[] {
  const start = `complete -c ${program} -n ${singleQuoteForFish([testOf(program), ...path].join(' '))}`;
  return [
    ...commands.map(({ name, text }) => `${start} -a ${name} -d ${singleQuoteForFish(text)}`),
    ...flags.map(({ short, long, text, values }) => {
      const letters = short === undefined ? '' : ` -s ${short}`;
      return `${start}${letters} -l ${long}${values ? ` ${argument(program, values)}` : ''} -d ${singleQuoteForFish(text)}`;
    }),
    ...(operand ? [`${start} -a ${offered(program, operand.values)}`] : []),
  ];
}

/** Returns the flags of `complete` for a value. `-x`: a value that is no file; `-r`: a value, maybe a file. */
function argument(program: string, values: CompletionValues): string {
  return values === 'files' ? '-r -F' : `-x -a ${offered(program, values)}`;
}

function offered(program: string, values: CompletionValues): string {
  if (values === 'profiles') return `'(${program} completion --profiles 2>/dev/null)'`;
  if (values === 'commands') return "'(__fish_complete_command)'";
  return values === 'files' ? "'(__fish_complete_path)'" : singleQuoteForFish(values.join(' '));
}
