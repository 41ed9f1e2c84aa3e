// Where a session keeps its tokens beyond the memory of the tabs.
import { storageOf } from "./flows.js";
import { parse } from "./http.js";

export function createStore({ tokens: place = "memory" }, key) {
  if (place === "memory") return undefined;
  if (typeof place === "object") return place;
  const storage = () => storageOf({ storage: place });
  return {
    load: () => parse(storage().getItem(key)),
    save: (tokens) => (tokens ? storage().setItem(key, JSON.stringify(tokens)) : storage().removeItem(key)),
  };
}
