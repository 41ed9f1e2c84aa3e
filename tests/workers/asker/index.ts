// Asks the service binding what it is told to, and shows what came back: POST {authorization, options}.
import type { Access, CheckOptions } from "../../../worker/access";

interface Env {
  AUTH: Access;
}

interface Question {
  authorization: string | null;
  options: CheckOptions;
}

export default {
  async fetch(request, env) {
    const { authorization, options } = await request.json<Question>();
    try {
      return Response.json({ answer: await env.AUTH.check(authorization, options) });
    } catch (error) {
      return Response.json({ error: String(error) });
    }
  },
} satisfies ExportedHandler<Env>;
