// Joins an instance of the core to JavaScript: a function from question to answer. This stands in for
// the glue that wasm-bindgen generates, which can pass everything and weighs four times as much; the
// version of wasm-bindgen is pinned, and the build checks that the exports are these.
export function joined(exports) {
  const { memory, ask, __wbindgen_malloc: take, __wbindgen_free: free, __wbindgen_add_to_stack_pointer: move } = exports;
  return (question) => {
    const bytes = new TextEncoder().encode(question);
    const place = take(bytes.length, 1);
    new Uint8Array(memory.buffer).set(bytes, place);
    const result = move(-16);
    ask(result, place, bytes.length);
    const [start, length] = new Uint32Array(memory.buffer, result, 2);
    const answer = new TextDecoder().decode(new Uint8Array(memory.buffer, start, length));
    move(16);
    free(start, length, 1);
    return answer;
  };
}
