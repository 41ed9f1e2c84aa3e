// What the tabs of one client tell each other, over a BroadcastChannel: same origin only, and per
// sender in the order of sending. Every message carries all its sender knows.

// How long an answer may take, in milliseconds: tabs answer in a few, closed ones never.
const WAIT_MS = 120;

// `knowledge` gives what to tell; `learn` takes what was told and says whether to answer a question.
export function createTabs(name, knowledge, learn) {
  const others = new Set(); // the tabs that were heard of
  const questions = new Map();
  let channel;
  let me;
  let count = 0;

  function tell(more) {
    channel?.postMessage({ ...more, me, known: knowledge() });
  }

  return {
    tell,
    // Only where there is a page or a worker of one: a server has the channels too, and many people.
    open() {
      if (channel || !globalThis.location) return;
      me = crypto.getRandomValues(new Uint32Array(3)).join();
      channel = new BroadcastChannel(name);
      channel.onmessage = ({ data }) => {
        others.add(data.me);
        if (learn(data.known) && data.question) tell({ answer: data.question });
        questions.get(data.answer)?.(data.me);
      };
    },
    close() {
      channel?.close();
      channel = undefined;
    },
    // Waits until all tabs heard of have answered, or with `anyone` the first of others, or not longer.
    // An answer comes after what its sender told before, so nothing is still on its way.
    ask: (anyone) =>
      new Promise((resolve) => {
        if (!channel || !(anyone || others.size)) return resolve();
        const silent = new Set(others);
        const question = `${me} ${(count += 1)}`;
        const end = () => {
          questions.delete(question);
          for (const gone of silent) others.delete(gone);
          resolve();
        };
        questions.set(question, (other) => {
          silent.delete(other);
          if (!silent.size) end();
        });
        setTimeout(end, WAIT_MS);
        tell({ question });
      }),
  };
}
