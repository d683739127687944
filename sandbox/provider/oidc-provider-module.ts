/** oidc-provider, without the warning it prints while loading on Node 20. It runs well there. */
const { warn } = console;
console.warn = (...values: unknown[]) => {
  if (!String(values[0]).includes('oidc-provider WARNING')) warn(...values);
};
const { default: Provider } = await import('oidc-provider');
console.warn = warn;

export { Provider };
