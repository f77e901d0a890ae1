// Imports the module.
import { DefaultSelector } from "../../../mod.ts";

DefaultSelector;
