// The tools of every server of this test.
export function addTools(server) {
  return server
    .tool({ name: 'where' }, () => globalThis.constructor.name)
    .tool({ name: 'count', state: { session: true } }, (_, { state }) => {
      state.count = (state.count ?? 0) + 1;
      return state;
    })
    .tool({ name: 'steps' }, async (_, call) => {
      for (const step of [1, 2, 3]) {
        call.progress(step, { total: 3 });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return 'done';
    })
    .tool({ name: 'wait' }, (_, call) => new Promise((resolve) => {
      call.signal.addEventListener('abort', () => {
        server.abortedCalls = (server.abortedCalls ?? 0) + 1;
      });
    }))
    .tool({ name: 'aborted' }, () => String(server.abortedCalls ?? 0));
}
