"""Routes whose endpoints FastAPI need not search for parameters: what is asked most is answered without."""

from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute


class Direct(APIRoute):
    """A route whose endpoint takes the request, and of its address texts only, is called at once; others as ever."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        needs = self.dependant
        more = (needs.dependencies, needs.query_params, needs.header_params, needs.cookie_params, needs.body_params)
        texts = all(one.field_info.annotation is str and not one.field_info.metadata for one in needs.path_params)
        return super().get_route_handler() if any(more) or not texts else self._call

    async def _call(self, request: Request) -> Any:
        return await self.endpoint(request=request, **request.path_params)
