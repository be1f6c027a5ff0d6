import { defineConfig } from "vite";

// One HTML file serves every page: src/main.tsx chooses by the path. Nothing is inlined, because the
// content security policy allows only files of our own origin.
export default defineConfig({
  base: "/",
  build: {
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
});
