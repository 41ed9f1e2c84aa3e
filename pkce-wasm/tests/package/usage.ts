// Every export as the documentation says to use it, and uses that must not compile. types.test.mjs
// compiles this file strictly; nothing runs it.
import * as all from "pkce-wasm";
import {
  PkceError,
  createAuthorizationRequest,
  createDpop,
  createSession,
  discover,
  exchangeCode,
  generatePkce,
  handleCallback,
  parseCallback,
  refresh,
  revoke,
  startLogin,
} from "pkce-wasm";
import type {
  AuthorizationRequest,
  Dpop,
  DpopOptions,
  DpopRequest,
  FlowStorage,
  Grant,
  LoginOptions,
  LoginResult,
  Pkce,
  PkceConfig,
  PkceErrorCode,
  RequestOptions,
  ServerSettings,
  Session,
  SessionConfig,
  SessionFetchInit,
  SessionState,
  SessionStore,
  StartOptions,
  Tokens,
  TokenStore,
} from "pkce-wasm";
import * as js from "pkce-wasm/js";
import * as slim from "pkce-wasm/slim";
import { init } from "pkce-wasm/slim";
import type { PkceConfig as SlimConfig } from "pkce-wasm/slim";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(): T | undefined => undefined;

const config: PkceConfig = {
  issuer: "https://auth.example",
  clientId: "my-app",
  redirectUri: "https://app.example/",
  authorizationEndpoint: "https://auth.example/authorize",
  tokenEndpoint: "https://auth.example/token",
};

export const everything: Required<PkceConfig> = {
  ...config,
  revocationEndpoint: "https://auth.example/revoke",
  scope: "account:read",
  issRequired: false,
  storage: "local",
  dpop: createDpop(),
  allowInsecure: true,
  fetch: (url, init) => fetch(url, init),
  signal: AbortSignal.timeout(1000),
};
export const stored: PkceConfig[] = [
  { ...config, storage: localStorage },
  { ...config, storage: {} as FlowStorage, fetch },
];

export async function login(button: HTMLButtonElement): Promise<void> {
  const options: RequestOptions = { signal: new AbortController().signal };
  const settings: ServerSettings = await discover("https://auth.example", options);
  const found: PkceConfig = { ...settings, clientId: "my-app", redirectUri: `${location.origin}/` };
  const result = await handleCallback(found);
  holds<Equal<typeof result, LoginResult | null>>();
  if (result) {
    const tokens: Tokens = result.tokens;
    const state: string = result.state;
    const returnTo: string | undefined = result.returnTo;
    history.replaceState({ state }, "", returnTo ?? "/");
    const left = tokens.expiresAt === undefined ? Infinity : tokens.expiresAt - Date.now();
    holds<Equal<typeof tokens.tokenType, "Bearer" | "DPoP">>();
    if (left < 0 && tokens.refreshToken) await refresh(found, tokens.refreshToken);
  }
  const wishes: LoginOptions = { scope: "a b", returnTo: "/x", prompt: "login", loginHint: "me", params: { audience: "api" } };
  const start: StartOptions = { ...wishes, navigate: (url) => location.replace(url) };
  button.onclick = () => void startLogin(found, start);
  const never: Promise<never> = startLogin(found);
  await never;
}

export async function elsewhere(): Promise<Grant | null> {
  const pkce: Pkce = generatePkce();
  holds<Equal<typeof pkce.codeChallengeMethod, "S256">>();
  const request: AuthorizationRequest = createAuthorizationRequest(config, { scope: "account:read" });
  const grant = parseCallback(config, new URL("https://app.example/?code=c"), request.flow);
  if (grant) {
    const tokens: Tokens = await exchangeCode(config, grant);
    const body: Record<string, string | undefined> = { code: grant.code, verifier: grant.codeVerifier, state: grant.state };
    await fetch(grant.redirectUri, { method: "POST", body: JSON.stringify({ ...body, at: tokens.accessToken }) });
  }
  return parseCallback(config, "https://app.example/?code=c") ?? parseCallback(config);
}

export async function later(tokens: Tokens): Promise<void> {
  let kept: Tokens | null = tokens;
  const store: TokenStore = { load: () => kept, save: (fresh) => void (kept = fresh) };
  const patient: TokenStore = { load: async () => kept ?? undefined, save: async () => {} };
  const fresh: Tokens = await refresh(config, store);
  await refresh(config, patient);
  await revoke(config, fresh.accessToken);
  await revoke(config, fresh.refreshToken ?? "", "refresh_token");
}

const CODES: Record<PkceErrorCode, string> = {} as Record<PkceErrorCode, string>;
export function explain(error: unknown): string {
  if (!(error instanceof PkceError)) throw error;
  const own: Error = error;
  const seconds: number | undefined = error.retryAfter;
  const about = [error.oauthError, error.description, error.status, error.returnTo, error.cause, seconds];
  switch (error.retry) {
    case "login":
      return CODES[error.code];
    case "later":
    case "no":
      return `${own.message} ${about.join()}`;
  }
}

export async function bound(): Promise<DpopRequest> {
  const options: DpopOptions = { name: "app" };
  const dpop: Dpop = createDpop(options);
  const request: DpopRequest = { method: "GET", url: "https://api.example/", accessToken: "at" };
  const response = await fetch(request.url, { headers: { DPoP: await dpop.proof(request) } });
  const again: boolean = dpop.noteNonce(request.url, response);
  if (!again) await dpop.forget();
  return { ...request, url: await dpop.thumbprint() };
}

export async function session(): Promise<() => void> {
  let kept: Tokens | null = null;
  const store: SessionStore = { load: () => kept, save: (tokens) => void (kept = tokens) };
  const settings: SessionConfig = { ...config, tokens: store, renewBefore: 30 };
  const mine: Session = createSession(settings);
  createSession({ ...config, tokens: "memory" }).close();
  const state: SessionState = mine.state;
  holds<Equal<typeof state.reason, "start" | "login" | "refresh" | "logout" | "ended">>();
  const result: LoginResult | null = await mine.handleCallback();
  if (!result && state.ready && !state.signedIn) await mine.login({ returnTo: location.pathname });
  await mine.accept({ accessToken: "at", tokenType: "Bearer" });
  const patience: SessionFetchInit = { method: "POST", waitFor: 10 };
  const response: Response = await mine.fetch("https://api.example/", patience);
  await mine.fetch(new Request(response.url));
  const token: string = await mine.getAccessToken({ renew: true });
  const { revoked, error } = await mine.logout();
  if (!revoked) console.error(error?.code, token);
  return mine.onChange(({ signedIn, scope }) => console.log(signedIn, scope ?? ""));
}

export async function otherEntries(module: WebAssembly.Module, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  await init();
  await init("/pkce.wasm");
  await init(new URL("pkce.wasm", location.href));
  await init(await fetch("/pkce.wasm"));
  await init(fetch("/pkce.wasm"));
  await init(bytes);
  await init(bytes.buffer);
  await init(module);
  const same: SlimConfig = config;
  await slim.startLogin(same);
  const error: slim.PkceError | js.PkceError | all.PkceError = {} as PkceError;
  const pair: Pkce = error ? js.generatePkce() : slim.generatePkce();
  holds<Equal<typeof js, typeof all>>();
  holds<Equal<Omit<typeof slim, "init">, Pick<typeof all, keyof typeof all>>>();
  console.log(pair.codeVerifier);
}

// What must not compile.
export function wrong(tokens: Tokens, grant: Grant, error: PkceError): void {
  // @ts-expect-error the redirect URI is missing
  startLogin({ issuer: "i", clientId: "c", authorizationEndpoint: "a", tokenEndpoint: "t" });
  // @ts-expect-error a misspelt setting
  startLogin({ ...config, redirectURI: "https://app.example/" });
  // @ts-expect-error there is no way to turn PKCE off
  startLogin(config, { pkce: false });
  // @ts-expect-error a scope is one text
  startLogin(config, { scope: ["a", "b"] });
  // @ts-expect-error parameters are texts
  startLogin(config, { params: { max_age: 60 } });
  // @ts-expect-error exactOptionalPropertyTypes: leave it out instead
  startLogin(config, { returnTo: undefined });
  // @ts-expect-error no such storage
  startLogin({ ...config, storage: "cookie" });
  // @ts-expect-error secrets have no place in a browser
  createSession({ ...config, clientSecret: "s" });
  // @ts-expect-error an answer may be missing
  handleCallback(config).then((result) => result.tokens);
  // @ts-expect-error a grant may be missing
  exchangeCode(config, parseCallback(config));
  // @ts-expect-error the code alone is not enough
  exchangeCode(config, { code: grant.code });
  // @ts-expect-error the refresh token may be missing
  refresh(config, tokens.refreshToken);
  // @ts-expect-error a store saves too
  refresh(config, { load: () => tokens });
  // @ts-expect-error no such kind of token
  revoke(config, tokens.accessToken, "id_token");
  // @ts-expect-error the lifetime may be unknown
  tokens.expiresAt.toFixed();
  // @ts-expect-error errors are made by the package
  new PkceError("network");
  // @ts-expect-error what went wrong is not for changing
  error.code = "network";
  // @ts-expect-error no such code
  if (error.code === "state_mismatch") return;
  // @ts-expect-error discovery needs the issuer
  discover();
  // @ts-expect-error the state is for reading
  createSession(config).state = { signedIn: true, ready: true, reason: "login" };
  // @ts-expect-error nothing to initialise in the default entry
  all.init();
  // @ts-expect-error nor in ./js
  js.init();
  // @ts-expect-error not a place for a module
  init(null);
}
