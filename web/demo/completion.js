// Completion: while an argument is typed, the server is asked for values that begin like that.
/** @typedef {import('./form.js').ArgumentForm} ArgumentForm */
/** @typedef {import('./mcp-session/index.js').McpClient} McpClient */
/** @typedef {{ type: 'ref/prompt', name: string } | { type: 'ref/resource', uri: string }} Reference */

const PAUSE = 150;

/**
 * @param {ArgumentForm} form
 * @param {Reference} ref what the arguments are of
 * @param {() => McpClient | undefined} clientNow
 */
export function completeFrom(form, ref, clientNow) {
  for (const field of form.fields) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    /** @type {AbortController | undefined} */
    let asking;
    const ask = async () => {
      const client = clientNow();
      if (!client?.capabilities?.completions) return;
      asking?.abort();
      const { signal } = (asking = new AbortController());
      const others = form.fields.filter((one) => one !== field && one.control.value !== '');
      const params = {
        ref,
        argument: { name: field.name, value: field.control.value },
        context: { arguments: Object.fromEntries(others.map(({ name, control }) => [name, control.value])) },
      };
      try {
        const { completion } = await client.request('completion/complete', params, { signal });
        if (!signal.aborted) field.suggest((completion?.values ?? []).map(String));
      } catch {
        // Whoever types does not need it.
      }
    };
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    };
    field.control.addEventListener('input', later);
    field.control.addEventListener('focus', later);
  }
}
