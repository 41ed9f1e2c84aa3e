const WORDS = { login: "Please connect again.", later: "Please try again in a moment.", no: "That did not work." };

/** An error in kind words; the code leads a developer to the page that explains it. */
export function Problem({ error }) {
  const denied = error.code === "authorization_denied";
  return (
    <div className={denied ? "notice notice-warn" : "alert"} role="alert" id="error">
      <p>{denied ? "Access was not allowed, so nothing was connected." : (WORDS[error.retry] ?? WORDS.no)}</p>
      <p className="fine">
        <code>{error.code ?? "unexpected"}</code> {error.description ?? error.message}
      </p>
    </div>
  );
}
