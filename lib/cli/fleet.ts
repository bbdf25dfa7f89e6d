#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Before anything else is loaded: with its code compiled already, a command starts in half the time.
enableCompileCache();
await import("./main.ts");
