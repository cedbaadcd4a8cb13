/** Whole configurations. */

/** The complete example of the founding document, word for word; a user-wide file. */
export const FOUNDING_EXAMPLE = `[default]
cache = "persistent"
metadata = ["Runtime", "CallInfo"]
[persistent]
# Store values in HDF5 files
values.type = "BagOfHoldingH5File"
values.root = "~/.cache/fleche/values"
# Store call details as cloudpickle files
calls.type = "CloudpickleFile"
calls.root = "~/.cache/fleche/calls"
[fast]
# Simple in-memory cache
values.type = "Memory"
calls.type = "Memory"
[compressed]
# Example of nested storage with compression
values.type = "CompressedStorage"
values.compression = "gzip"
values.inner.type = "BagOfHoldingH5File"
values.inner.root = "~/.cache/fleche/compressed_values"
calls.type = "CloudpickleFile"
calls.root = "~/.cache/fleche/compressed_calls"
`;

/** A project with every kind of task and cache. */
export const PROJECT_EXAMPLE = `[default]
tasks = ["report"]
cache = "local"
metadata = ["Runtime", "CallInfo"]

[caches.local]
type = "Lmdb"
root = ".fleche"
max_size = "5GB"

[caches.archive]
values.type = "CompressedStorage"
values.compression = "gzip"
values.inner.type = "File"
values.inner.root = "~/.cache/fleche/values"
calls.type = "Sql"
calls.url = "sqlite:calls.db"

[caches.shared]
type = "Http"
url = "https://cache.example"
unsigned = true

[caches.team]
stack = ["local", "shared"]

[tasks.codegen]
run = "node scripts/codegen.mjs"
inputs = ["schema/**/*.graphql", "scripts/codegen.mjs", "!**/*.tmp"]
outputs = ["src/generated/**"]

[tasks.bundle]
run = "esbuild src/main.ts --bundle --outfile=dist/app.js"
needs = ["codegen"]
inputs = ["src/**/*.ts", "tsconfig.json"]
outputs = ["dist/**"]
env = ["NODE_ENV"]
tools = ["esbuild"]

[tasks.report]
call = "./tasks/report.ts#report"
args = { bundle = { from = "bundle" }, data = { file = "data.json" }, level = { env = "LEVEL", default = "full" }, title = "Sizes" }
`;
