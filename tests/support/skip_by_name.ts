import "./show_skip_reasons.ts";
