// Imports the module, and selects once.
import { DefaultSelector } from "../../../mod.ts";

new DefaultSelector().select(0);
