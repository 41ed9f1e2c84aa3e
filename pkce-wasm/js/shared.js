// One running call for all who ask at the same time.
export const nameOf = (config) => `${config.issuer} ${config.clientId}`;

export function shared(running, key, start) {
  if (!running.has(key)) {
    running.set(
      key,
      start().finally(() => running.delete(key)),
    );
  }
  return running.get(key);
}
