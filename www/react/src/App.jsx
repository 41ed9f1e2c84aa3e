import { useEffect, useState, useSyncExternalStore } from "react";
import { Problem } from "./Problem.jsx";

const REASONS = {
  start: "Nothing has happened yet.",
  login: "Connected, here or in another tab.",
  refresh: "The access token was renewed, here or in another tab.",
  logout: "Disconnected, here or in another tab.",
  ended: "The server ended the connection.",
};

export function App({ session, me }) {
  const current = () => session.state;
  const { ready, signedIn, scope, reason } = useSyncExternalStore(session.onChange, current, current);
  const [arriving, setArriving] = useState(true);
  const [problem, setProblem] = useState();

  // StrictMode runs this twice in development: both calls get the same answer, and the code is exchanged once.
  useEffect(() => {
    session
      .handleCallback()
      .catch(setProblem)
      .finally(() => setArriving(false));
  }, [session]);

  // Runs what a button stands for, and shows how it failed.
  const run = (action) => () => {
    setProblem(undefined);
    action().catch(setProblem);
  };
  const logout = async () => {
    const { revoked, error } = await session.logout();
    if (!revoked && error) throw error;
  };

  if (arriving || !ready) return <p role="status">One moment …</p>;
  return (
    <>
      {problem && <Problem error={problem} />}
      <section className="panel" aria-labelledby="connection">
        <h2 id="connection">
          Connection{" "}
          <span className={signedIn ? "tag tag-good" : "tag tag-off"} id="state" role="status">
            {signedIn ? "connected" : "disconnected"}
          </span>
        </h2>
        <div className="actions" role="group" aria-label="Actions">
          {signedIn ? (
            <>
              <button className="button" type="button" onClick={run(() => session.getAccessToken({ renew: true }))}>
                Renew
              </button>
              <button className="button" type="button" onClick={run(logout)}>
                Disconnect
              </button>
            </>
          ) : (
            <button className="button button-primary" type="button" onClick={run(() => session.login())}>
              Connect
            </button>
          )}
          <a className="button button-quiet" href="/react/" target="_blank" rel="noopener">
            Open another tab
          </a>
        </div>
        <dl className="facts">
          <dt>Last change</dt>
          <dd id="reason">{REASONS[reason]}</dd>
          {signedIn && (
            <>
              <dt>Permissions</dt>
              <dd>{scope ?? "the server does not say"}</dd>
            </>
          )}
        </dl>
        <p className="fine">
          Sign in with <code>owner@demo.example</code> and <code>demo-password</code>. The tokens are kept in the memory of the
          tabs: close the last one and they are gone.
        </p>
      </section>
      {signedIn && <Account session={session} me={me} onProblem={setProblem} />}
    </>
  );
}

/** Asks the API whose token this is. */
function Account({ session, me, onProblem }) {
  const [answer, setAnswer] = useState();
  const call = async () => {
    onProblem(undefined);
    const response = await session.fetch(me.path, { method: me.method, waitFor: 10 });
    setAnswer({ status: response.status, body: JSON.stringify(await response.json(), undefined, 2) });
  };
  return (
    <section className="panel" aria-labelledby="account">
      <h2 id="account">The API</h2>
      <div className="actions">
        <button className="button button-primary" type="button" onClick={() => call().catch(onProblem)}>
          Call the API
        </button>
      </div>
      <p className="fine">
        {me.method} {me.path}, with the access token in a header
      </p>
      {answer && (
        <>
          <p role="status">Answer: {answer.status}</p>
          <pre id="answer">{answer.body}</pre>
        </>
      )}
    </section>
  );
}
