// Nothing here is for pkce-wasm, which needs no plugin. The development server serves the result at /react/.
export default {
  base: "/react/",
  build: {
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the page's policy allows no data: addresses
  },
};
