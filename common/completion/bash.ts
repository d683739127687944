import { type CompletedCommand, type CompletedFlag, type CompletionValues, functionName } from './table.ts';

/** Returns the completion script for bash 3.2 (macOS) and later; it needs no bash-completion. */
export function bashCompletion(program: string, completed: readonly CompletedCommand[]): string {
  const paths = completed
    .filter(({ path }) => path.length > 0)
    .map(
      ({ path }) =>
        `      '${[...path.slice(0, -1), ''].join(' ')}|${path.at(-1)}') path+='${path.at(-1)} ' ;;`,
    );
  const takers = new Set(
    completed.flatMap(({ flags }) => flags.filter(({ values }) => values).flatMap(written)),
  );
  const values = completed.flatMap(({ path, flags }) =>
    flags.flatMap((flag) => {
      if (!flag.values) return [];
      const patterns = written(flag).map((text) => `'${at(path)}|${text}'`);
      return [`    ${patterns.join(' | ')}) ${reply(flag.values)}; return ;;`];
    }),
  );
  const words = completed.map(({ path, commands, flags, operand }) => {
    const names = commands.map(({ name }) => name);
    const dashed = flags.flatMap(written);
    const others = operand === undefined ? offer(names) : reply(operand.values);
    return `    '${at(path)}') if [[ $cur == -* ]]; then ${offer(dashed)}; else ${others}; fi ;;`;
  });
  const foreign = completed
    .filter(({ operand }) => operand?.values === 'commands')
    .map(
      ({ path }) =>
        `    if [[ $path == '${at(path)}' && $word != -* ]]; then COMPREPLY=($(compgen -f -- "$cur")); return; fi\n`,
    );
  const name = functionName(program);
  return `# bash completion of ${program}, printed by: ${program} completion bash
${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path='' word i skip=''
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $word in
      ${[...takers].join(' | ')}) skip=1; continue ;;
    esac
${foreign.join('')}    case "$path|$word" in
${paths.join('\n')}
    esac
  done
  case "$path|$prev" in
${values.join('\n')}
  esac
  case $path in
${words.join('\n')}
  esac
}
complete -F ${name} ${program}
`;
}

function at(path: readonly string[]): string {
  return path.map((word) => `${word} `).join('');
}

function written({ short, long }: CompletedFlag): string[] {
  return [...(short === undefined ? [] : [`-${short}`]), `--${long}`];
}

function offer(words: readonly string[]): string {
  return words.length === 0 ? ':' : `COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur"))`;
}

function reply(values: CompletionValues): string {
  if (values === 'files') return 'COMPREPLY=($(compgen -f -- "$cur"))';
  if (values === 'commands') return 'COMPREPLY=($(compgen -c -- "$cur"))';
  if (values !== 'profiles') return offer(values);
  return 'COMPREPLY=($(compgen -W "$("$1" completion --profiles 2>/dev/null)" -- "$cur"))';
}
