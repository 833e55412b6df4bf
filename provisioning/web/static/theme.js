// Bootstrap takes dark mode from an attribute; the visitor's system knows which one they like.
document.documentElement.dataset.bsTheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
