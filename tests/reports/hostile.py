"""Text as it may stand in a mail's subject: each piece breaks some format that is not careful."""

HOSTILE = (
    "<script>alert(document.domain)</script>",
    "</script><script>alert(1)</script>",
    '"><img src=http://evil.example/x.png onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }} {% raw %} {# note #}",
    "]]> <!-- --> <![CDATA[ x ]]>",
    "javascript:alert(1) [link](javascript:alert(1)) ![](http://evil.example/)",
    "http://evil.example/ www.evil.example <http://evil.example> @everyone #1",
    "| a | b |\n|---|---|\n\n# heading\n```\ncode",
    "::error file=x::owned %0A::set-output name=a::b",
    "\x00\x01\x1b[31m\x7f\x9b \u202etxt\u2066 \u2028\u2029 \ufeff \ufffe",
    "%s %(x)s {0} {name} $HOME `id` \\",
    "x" * 3_000,
    "\U0001f600 caf\u00e9 \u4e2d\u6587 e\u0301",
)
