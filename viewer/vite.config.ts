import { defineConfig } from "vite";

// The built viewer is served under a policy that refuses inline scripts and styles, so nothing may be inlined.
// HALLEY_URL names the server that answers /api while the viewer is developed with `npm run dev`.
export default defineConfig({
  build: {
    outDir: "dist",
    // The committed placeholder lets Go build before the viewer is; it is written again by the plug-in below.
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  server: { proxy: { "/api": { target: process.env["HALLEY_URL"] ?? "http://127.0.0.1:8443", secure: false, changeOrigin: true } } },
  plugins: [
    {
      name: "placeholder",
      generateBundle() {
        this.emitFile({ type: "asset", fileName: "placeholder", source: placeholder });
      },
    },
  ],
});

const placeholder = "Lets Go build before the web viewer is built: see ../embed.go.\n";
