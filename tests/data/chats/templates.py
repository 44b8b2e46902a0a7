"""Chat templates, each with constructs that published ones have, in our own words."""

CHATML = """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system
You are a helpful assistant.<|im_end|>
' }}{% endif %}{{ '<|im_start|>' + message['role'] + '
' + message['content'] + '<|im_end|>' + '
' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}
"""

# Tools, tool calls, consecutive answers of tools, the last question looked for from behind, thinking that is dropped.
THINKING = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- "# Tools\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools><|im_end|>\\n" }}
{%- else %}
    {%- if messages[0].role == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- set ns = namespace(multi_step=true, last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step = false %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set reasoning = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last and (loop.last or (not loop.last and reasoning)) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}
                    {{- '\\n' }}
                {%- endif %}
                {%- if tool_call.function %}
                    {%- set tool_call = tool_call.function %}
                {%- endif %}
                {{- '<tool_call>\\n{"name": "' }}
                {{- tool_call.name }}
                {{- '", "arguments": ' }}
                {%- if tool_call.arguments is string %}
                    {{- tool_call.arguments }}
                {%- else %}
                    {{- tool_call.arguments | tojson }}
                {%- endif %}
                {{- '}\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' + content + '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
"""

# The day, the whole of a tool indented, messages without the first, filters behind filters.
DATED = """{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Today: " + date_string + strftime_now(", a %A (%-d.%m.%y, day %j)") + "\\n\\n" }}
{%- if tools is not none %}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '{"name": "' + tool_call.name + '", "parameters": ' }}{{- tool_call.arguments | tojson }}{{- "}" }}
        {{- "<|eom_id|>" if not loop.last else "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

# Roles that must alternate, a role renamed, parts of a content.
ALTERNATING = """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{% for message in messages %}
{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}
{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}
{{ '<start_of_turn>' + role + '
' }}{% if message['content'] is string %}{{ message['content'] | trim }}{% elif message['content'] is iterable %}{% for item in message['content'] %}{% if item['type'] == 'text' %}{{ item['text'] | trim }}{% endif %}{% endfor %}{% endif %}{{ '<end_of_turn>
' }}
{% endfor %}
{% if add_generation_prompt %}{{'<start_of_turn>model
'}}{% endif %}
"""

# What the assistant says is marked; tags with and without signs, in a macro's text and in a condition.
MARKED = """{% macro turn(role, text, end='<|im_end|>') %}<|im_start|>{{ role }}
{{ text }}{{ end }}
{% endmacro %}
{%- for message in messages %}
{%- if message.role == 'assistant' %}
{{- '<|im_start|>assistant\\n' }}
{%- generation %}
{{- message.content + '<|im_end|>' }}{{ '\\n' }}
{%- endgeneration -%}
{%- else %}
{{- turn(message.role, message.content) }}
{%- endif %}
{%- endfor %}
{# {% generation %} of a comment #}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}
"""
MARKED_PLAINLY = """{% for message in messages %}
  {% if message['role'] == 'assistant' %}
<assistant>
    {% generation %}
{{ message['content'] }}</s>
    {% endgeneration %}
  {% else %}
<{{ message['role'] }}> {{ message['content'] }}
  {% endif %}
{% endfor %}
{{ "{% generation %}" }}{% raw %}{% generation %}{{ x }}{% endraw %}
"""

# What Python would print, and what its methods give.
PYTHON = """{%- for message in messages -%}
{%- if message.content is undefined %}{% continue %}{% endif -%}
{{ message }} {{ message.keys() | list }} {{ message.content | trim('?H') }} {{ [' a '] | trim }} {{ [1, 2.5, none, true, 'it\\'s', "a\\tb\\\\"] }} {{ {'a': [], 'b': {}} }}
{{ none }} {{ true }} {{ 1.0 }} {{ 1e20 }} {{ 1.5e-7 }} {{ 3 / 2 }} {{ 7 // 2 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ none ~ true ~ 1.5 }}
{{ message.content.upper() }} {{ message.content.title() }} {{ message.content.capitalize() }} {{ message.content.split() }} {{ message.content.split(' ', 1) }}
{{ message.content.rsplit(' ', 1) }} {{ message.content.rsplit() }} {{ message.content.removeprefix('Hi') }} {{ message.content.removesuffix('?') }} {{ message.content.partition(' ')[2] }}
{{ message.content.find('t') }} {{ message.content.replace('t', 'T') }} {{ ','.join(['a', 'b']) }} {{ message.get('name', 'nobody') }} {{ message.get('nothing') }}
{{ message.content[::-1] if message.content }} {{ message.content[1:-1] }} {{ message.content[-3:] }} {{ messages[1:] | length }} {{ messages[-1].role }} {{ messages[:1][0].role }} {{ (messages[::-1])[0].role }}
{{ message.content is sequence }} {{ message is mapping }} {{ message is iterable }} {{ [] is sequence }} {{ none is none }} {{ nowhere is defined }} {{ 5 is number }}
{{ message | tojson(sort_keys=true) }} {{ message | tojson(ensure_ascii=true) }} {{ message | tojson(separators=(',', ':')) }} {{ [1, {'a': 2}] | tojson(indent=2) }} {{ '<a href="x">&' | tojson }} {{ [1e20, 0.1, 1.0, -0.0] | tojson }}
{{ loop.previtem.role if loop.previtem is defined else 'first' }} {{ loop.nextitem.role if loop.nextitem is defined else 'last' }} {{ loop.cycle('odd', 'even') }} {{ loop.revindex }}
{{ message.content | default('none') | trim | lower | replace('h', 'H') }} {{ messages | map(attribute='role') | join(', ') }} {{ messages | selectattr('role', 'equalto', 'user') | list | length }} {{ messages | rejectattr('role', 'equalto', 'user') | map(attribute='content') | first }}
{{ (message | dictsort)[0][1] }} {{ [3, 1, 2] | sort }} {{ [3, 1] + [2] }} {{ '-' * 5 }} {{ ['a', 'b'] | last }} {{ "%s is %d" | format('x', 3) }} {{ 'x' in ['x'] }} {{ 'role' in message }} {{ 3.7 | int }} {{ '4' | int + 1 }} {{ 2 | string + 'a' }}
{%- if loop.index == 3 %}{% break %}{% endif %}
{% endfor -%}
{% set block %}captured {{ messages | length }}{% endset %}{{ block }}
{%- macro outer(x) %}{{ caller() }}{{ x }}{% endmacro %}{% call outer('!') %}called{% endcall %}
{% for key, value in messages[0].items() if key != 'role' %}{{ key }}={{ value }};{% else %}none{% endfor %}
{% filter upper %}filtered{% endfilter %} {% with a = 1 %}{{ a }}{% endwith %} {{ '' if missing else 'absent' }}{{ missing }}|
"""

ALL = {"chatml": CHATML, "thinking": THINKING, "dated": DATED, "alternating": ALTERNATING, "marked": MARKED, "marked_plainly": MARKED_PLAINLY, "python": PYTHON}
