import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.jsx";
import { Problem } from "./Problem.jsx";
import { connect } from "./server.js";

const root = createRoot(document.getElementById("app"));
root.render(<p role="status">One moment …</p>);
connect().then(
  ({ session, me }) =>
    root.render(
      <StrictMode>
        <App session={session} me={me} />
      </StrictMode>,
    ),
  (error) => root.render(<Problem error={error} />),
);
